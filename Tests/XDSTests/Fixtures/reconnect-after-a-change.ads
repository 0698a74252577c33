# Another version gets everything; new clusters get their endpoints though these did not change.
= CDS a@1; EDS a@1; RDS r@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> EDS a
< EDS n2 a@1
> EDS n2 a
< nothing
> RDS r
< RDS n3 r@1
> RDS n3 r
< nothing
= CDS a@2
< CDS n4 a@2
< EDS n5 a@1
! reconnect
< nothing
> CDS version=n1
< CDS n6 a@2
> EDS version=n2 a
< EDS n7 a@1
> RDS version=n3 r
< nothing
# An Envoy that restarted knows no version.
! reconnect
< nothing
> RDS r
< RDS n8 r@1
