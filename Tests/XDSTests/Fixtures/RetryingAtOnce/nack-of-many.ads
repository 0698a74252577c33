# Refused together, without a name: each goes once more, alone, and only the culprit stays out.
= ECDS a@1 b@1 c@1
< nothing
> ECDS a b c
< ECDS n1 a@1 b@1 c@1
> ECDS n1 a b c error="no"
< ECDS n2 a@1
> ECDS n2 a b c
< ECDS n3 b@1
> ECDS n3 a b c error="no"
< ECDS n4 c@1
> ECDS n4 a b c
< nothing
? ECDS ERROR
= ECDS a@1 b@2 c@1
< ECDS n5 b@2
> ECDS n5 a b c
< nothing
? ECDS SYNCED
