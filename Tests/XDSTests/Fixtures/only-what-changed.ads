# Nothing whose bytes did not change is sent; CDS and LDS are complete, the others partial.
= CDS a@1 b@1; EDS a@1 b@1; ECDS e@1 f@1; RDS r@1
< nothing
> CDS
< CDS n1 a@1 b@1
> CDS n1
< nothing
> EDS a b
< EDS n2 a@1 b@1
> EDS n2 a b
< nothing
> ECDS e f
< ECDS n3 e@1 f@1
> ECDS n3 e f
< nothing
= CDS a@1 b@1
< nothing
= ECDS e@1 f@2
< ECDS n4 f@2
> ECDS n4 e f
< nothing
= EDS a@2 b@1
< EDS n5 a@2
> EDS n5 a b
< nothing
? EDS SYNCED
