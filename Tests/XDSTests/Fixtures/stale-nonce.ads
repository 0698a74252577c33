# A request with an overtaken nonce counts as not received, names included.
= RDS r@1 s@1
< nothing
> RDS r
< RDS n1 r@1
> RDS n1 r
< nothing
= RDS r@2 s@1
< RDS n2 r@2
> RDS n1 r s
< nothing
> RDS nonce=bogus r s
< nothing
> RDS n1 r error="too late"
< nothing
? RDS STALE
> RDS n2 r
< nothing
? RDS SYNCED
