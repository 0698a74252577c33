# Refused in time, had later without a change.
= ECDS a@1 b@1
< nothing
> ECDS a b
< ECDS n1 a@1 b@1
> ECDS n1 version=- a b error="extension config a: 503"
< ECDS n2 b@1
> ECDS n2 a b
< nothing
? ECDS ERROR
~ ECDS a@1
< ECDS n3 a@1
> ECDS n3 a b
< nothing
? ECDS SYNCED
