# Versions are hashes of content: who has everything gets nothing, on any stream of any replica.
= CDS a@1; EDS a@1 b@1; LDS l@1; RDS r@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> EDS a
< EDS n2 a@1
> EDS n2 a
< nothing
> LDS
< LDS n3 l@1
> LDS n3
< nothing
! reconnect
< nothing
> CDS version=n1
< nothing
> EDS version=n2 a
< nothing
? EDS SYNCED
# A nonce of the former stream means nothing.
> LDS n3
< nothing
? LDS SYNCED
# What changes later is sent as ever.
= EDS a@2 b@1; LDS l@2
< EDS n4 a@2
< LDS n5 l@2
