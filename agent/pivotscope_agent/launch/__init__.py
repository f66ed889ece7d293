"""A program that runs in the agent's place: started, served with signals, and ended as."""
