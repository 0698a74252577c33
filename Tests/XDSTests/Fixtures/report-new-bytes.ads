# A refused resource is sent when its bytes change, and only then.
= ECDS a@1
< nothing
> ECDS a
< ECDS n1 a@1
> ECDS n1 a
< nothing
~ ECDS a@1 error="checksum"
< nothing
= ECDS a@2
< ECDS n2 a@2
> ECDS n2 a
< nothing
? ECDS SYNCED
