"""对账: what the orders say beside what the books say, day by day."""
