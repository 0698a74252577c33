# Back to the accepted endpoints, but meanwhile their cluster changed and needs them anew.
= CDS a@1; EDS a@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> EDS a
< EDS n2 a@1
> EDS n2 a
< nothing
= CDS a@1; EDS a@2
< EDS n3 a@2
= CDS a@2; EDS a@1
< CDS n4 a@2
> CDS n4
< nothing
> EDS n3 version=n2 a error="no"
< EDS n5 a@1
