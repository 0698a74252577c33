# What is referred to goes before what refers to it; a first answer waits for nobody.
= CDS a@1; EDS a@1; SDS s@1; ECDS e@1; LDS l@1; RDS r@1
< nothing
> RDS r
< RDS n1 r@1
> LDS
< LDS n2 l@1
> ECDS e
< ECDS n3 e@1
> SDS s
< SDS n4 s@1
> EDS a
< EDS n5 a@1
> CDS
< CDS n6 a@1
