# An update of listeners and routes waits until Envoy has the clusters, warm.
= CDS a@1; EDS a@1; ECDS e@1; LDS l@1; RDS r@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> EDS a
< EDS n2 a@1
> EDS n2 a
< nothing
> ECDS e
< ECDS n3 e@1
> ECDS n3 e
< nothing
> LDS
< LDS n4 l@1
> LDS n4
< nothing
> RDS r
< RDS n5 r@1
> RDS n5 r
< nothing
= CDS a@1 b@1; EDS a@1 b@1; ECDS e@2; LDS l@2; RDS r@2
< CDS n6 a@1 b@1
< ECDS n7 e@2
# Envoy asks for the endpoints before it accepts the cluster.
> EDS n2 a b
< EDS n8 b@1
> CDS n6
< nothing
> EDS n8 a b
< LDS n9 l@2
< RDS n10 r@2
> LDS n9
< nothing
> RDS n10 r
< nothing
> ECDS n7 e
< nothing
# A cluster goes when nothing refers to it any more.
= CDS b@1; EDS b@1; LDS l@3; RDS r@3
< LDS n11 l@3
< RDS n12 r@3
? CDS STALE
> LDS n11
< nothing
> RDS n12 r
< CDS n13 b@1
> CDS n13
< nothing
? CDS SYNCED
