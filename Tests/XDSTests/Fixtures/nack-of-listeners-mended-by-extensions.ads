# Envoy builds a listener with the last configuration of its filters, refused or not; once that is
# mended, the listener may pass, too.
= LDS l@1; ECDS e@1
< nothing
> LDS
< LDS n1 l@1
> LDS n1
< nothing
> ECDS e
< ECDS n2 e@1
> ECDS n2 e
< nothing
= LDS l@2; ECDS e@2
< ECDS n3 e@2
< LDS n4 l@2
> ECDS n3 version=n2 e error="Invalid path"
< nothing
> LDS n4 version=n1 error="Error adding/updating listener(s) l: Invalid path"
< nothing
? LDS ERROR
= LDS l@2; ECDS e@3
< ECDS n5 e@3
> ECDS n5 e
< LDS n6 l@2
> LDS n6
< nothing
? LDS SYNCED
# What was accepted all along mends nothing.
= LDS l@3; ECDS e@4
< ECDS n7 e@4
< LDS n8 l@3
> ECDS n7 e
< nothing
> LDS n8 version=n6 error="Error adding/updating listener(s) l: bad"
< nothing
= LDS l@3; ECDS e@5
< ECDS n9 e@5
> ECDS n9 e
< nothing
? LDS ERROR
