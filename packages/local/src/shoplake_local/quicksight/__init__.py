"""Amazon QuickSight's API without QuickSight: what is deployed is kept, checked and counted; nothing is drawn."""
