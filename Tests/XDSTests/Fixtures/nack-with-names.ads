# The names of a NACK count.
= RDS r@1 s@1
< nothing
> RDS r
< RDS n1 r@1
> RDS n1 r s error="no"
< RDS n2 s@1
> RDS n2 r s
< nothing
= RDS r@1 s@2
< RDS n3 s@2
> RDS n3 error="no"
< nothing
? RDS SYNCED
= RDS r@1 s@3
< nothing
