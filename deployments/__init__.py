"""What runs where: Prefect deployments, the one-command embedded run, compose and systemd."""
