"""Ways to reach people that come with the hub, one package each."""
