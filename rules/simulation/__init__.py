"""A site with a simulated clock: piles that obey, cars that want, a meter that lags. Pure; it knows the contract alone.

What its transformer really carries is the truth against which tests, documents and what-ifs hold the rules.
"""
