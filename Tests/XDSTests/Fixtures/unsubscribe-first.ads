# Envoy mentions a type that it wants nothing of; the version that it still knows then proves nothing.
= RDS r@1
< nothing
> RDS r
< RDS n1 r@1
> RDS n1 r
< nothing
! reconnect
< nothing
> RDS version=n1
< nothing
> RDS version=n1 r
< RDS n2 r@1
