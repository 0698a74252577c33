# Refused together, without a name: which one it was is found out when something changes.
= ECDS a@1 b@1 c@1
< nothing
> ECDS a b c
< ECDS n1 a@1 b@1 c@1
> ECDS n1 a b c error="no"
< nothing
? ECDS ERROR
# What changed goes first and apart, so that it does not suffer.
= ECDS a@1 b@1 c@2
< ECDS n2 c@2
> ECDS n2 a b c
< ECDS n3 a@1
> ECDS n3 a b c
< ECDS n4 b@1
> ECDS n4 a b c error="no"
< nothing
? ECDS ERROR
= ECDS a@1 b@2 c@2
< ECDS n5 b@2
> ECDS n5 a b c
< nothing
? ECDS SYNCED
