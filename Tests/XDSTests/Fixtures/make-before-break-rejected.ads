# A refused listener goes on in its old form, and so do the clusters that it needs.
= CDS a@1; LDS l@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> LDS
< LDS n2 l@1
> LDS n2
< nothing
= CDS b@1; LDS l@2
< CDS n3 a@1 b@1
> CDS n3
< LDS n4 l@2
> LDS n4 version=n2 error="no"
< nothing
? CDS STALE
= LDS l@3
< LDS n5 l@3
> LDS n5
< CDS n6 b@1
