"""What sampling may cost: budgets, what looks were measured to cost, and the plan that keeps within them; pure."""
