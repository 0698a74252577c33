# Back to what Envoy has, of a resource that was refused alone: nothing to send, nothing wrong.
= ECDS e@1 f@1
< nothing
> ECDS e f
< ECDS n1 e@1 f@1
> ECDS n1 e f
< nothing
= ECDS e@2 f@1
< ECDS n2 e@2
> ECDS n2 version=n1 e f error="no"
< nothing
= ECDS e@1 f@1
< nothing
? ECDS SYNCED
# The refused bytes are remembered all the same.
= ECDS e@2 f@1
< nothing
? ECDS ERROR
# Others do not suffer, and do not bring them back.
= ECDS e@2 f@2
< ECDS n3 f@2
> ECDS n3 e f
< nothing
? ECDS ERROR
= ECDS e@1 f@2
< nothing
? ECDS SYNCED
= ECDS f@2
< nothing
? ECDS SYNCED
