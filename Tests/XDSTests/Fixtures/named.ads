# Types without wildcards get what they name; unknown names are left out, and sent when they appear.
= EDS a@1 b@1; RDS r@1
< nothing
> EDS a x
< EDS n1 a@1
> EDS n1 a x
< nothing
> RDS y
< nothing
? RDS NOT_SENT
= RDS r@1 y@1
< RDS n2 y@1
= EDS a@1 b@1 x@1
< EDS n3 x@1
# A resource that goes is not mentioned; unchanged, it needs not be sent when it comes back.
> EDS n3 a x
< nothing
= EDS a@1
< nothing
= EDS a@1 x@1
< nothing
