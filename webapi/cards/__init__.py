"""Cards and vehicles: what a driver shows at the pile instead of a telephone, and every attempt with one."""
