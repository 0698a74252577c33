# One cluster goes and another comes: both are there until routes have changed over.
= CDS a@1; RDS r@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> RDS r
< RDS n2 r@1
> RDS n2 r
< nothing
= CDS b@1; RDS r@2
< CDS n3 a@1 b@1
> CDS n3
< RDS n4 r@2
# A third while that goes on.
= CDS c@1; RDS r@3
< CDS n5 a@1 b@1 c@1
> CDS n5
< nothing
> RDS n4 r
< RDS n6 r@3
> RDS n6 r
< CDS n7 c@1
> CDS n7
< nothing
# Nothing that refers to clusters changes: no detour.
= CDS d@1
< CDS n8 d@1
