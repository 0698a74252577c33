# A first request of CDS or LDS without names asks for everything.
= CDS a@1 b@1; LDS l@1
< nothing
> CDS
< CDS n1 a@1 b@1
? CDS STALE
> CDS n1
< nothing
? CDS SYNCED
? LDS -
> LDS
< LDS n2 l@1
> LDS n2
< nothing
# Names end it: what was named is there already.
> LDS n2 l
< nothing
# Once there were names, no names ask for nothing.
> LDS n2
< nothing
= LDS l@2
< nothing
