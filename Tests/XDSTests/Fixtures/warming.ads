# A changed cluster gets its endpoints again (envoy#13009), the others do not.
= CDS a@1 b@1; EDS a@1 b@1
< nothing
> CDS
< CDS n1 a@1 b@1
> CDS n1
< nothing
> EDS a b
< EDS n2 a@1 b@1
> EDS n2 a b
< nothing
= CDS a@2 b@1
< CDS n3 a@2 b@1
< EDS n4 a@1
# Envoy asks for them itself while they are on their way.
> EDS n2 a b
< nothing
> CDS n3
< nothing
> EDS n4 a b
< nothing
# A cluster that goes and comes back.
= CDS b@1
< CDS n5 b@1
> CDS n5
< nothing
= CDS a@2 b@1
< CDS n6 a@2 b@1
< EDS n7 a@1
