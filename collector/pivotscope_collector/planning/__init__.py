"""From candidates to a plan: waves, journey, checks, and the migration-plan.json document."""
