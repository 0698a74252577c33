# A type that nobody knows is noted, and there is nothing to send.
= CDS a@1
< nothing
> type.googleapis.com/example.Unknown x
< nothing
? type.googleapis.com/example.Unknown NOT_SENT
> CDS
< CDS n1 a@1
