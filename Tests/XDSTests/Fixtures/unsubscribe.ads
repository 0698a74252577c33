# No names for a named type end the subscription; a new one gets everything again, unchanged or not.
= ECDS e@1 f@1
< nothing
> ECDS e f
< ECDS n1 e@1 f@1
> ECDS n1 e f
< nothing
> ECDS n1 f
< nothing
> ECDS n1 e f
< ECDS n2 e@1
> ECDS n2
< nothing
= ECDS e@2 f@2
< nothing
# Envoy still has the nonce and the version of the type, but no resource of it.
> ECDS n2 e
< ECDS n3 e@2
