# Nothing is answered until there is something to answer with.
> CDS
< nothing
> EDS a
< nothing
? CDS NOT_SENT
= CDS a@1; EDS a@1
< CDS n1 a@1
< EDS n2 a@1
