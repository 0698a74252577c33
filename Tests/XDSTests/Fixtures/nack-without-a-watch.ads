# A NACK of nothing is harmless, and is no subscription.
= LDS l@1
< nothing
> LDS nonce=none error="no"
< nothing
? LDS -
> LDS
< LDS n1 l@1
# Without a nonce it settles nothing and asks for nothing.
> LDS error="no"
< nothing
? LDS STALE
> LDS n1
< nothing
# Settled once is settled.
> LDS n1 error="no"
< nothing
? LDS SYNCED
