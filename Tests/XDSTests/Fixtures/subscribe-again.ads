# Without a nonce, after a response: the client has lost its state and gets everything.
= CDS a@1; EDS a@1 b@1
< nothing
> CDS
< CDS n1 a@1
> CDS n1
< nothing
> CDS
< CDS n2 a@1
> CDS n1
< nothing
> CDS n2
< nothing
# Before the first answer was seen, it only adds names: all of them come, the first answer is overtaken.
> EDS a
< EDS n3 a@1
> EDS a b
< EDS n4 a@1 b@1
> EDS n3 a b
< nothing
> EDS n4 a b
< nothing
? EDS SYNCED
