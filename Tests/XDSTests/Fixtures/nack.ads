# What was refused is not sent again until the bytes change.
= ECDS e@1
< nothing
> ECDS e
< ECDS n1 e@1
> ECDS n1 e
< nothing
= ECDS e@2
< ECDS n2 e@2
> ECDS n2 version=n1 e error="no"
< nothing
? ECDS ERROR
= ECDS e@2
< nothing
> ECDS n2 version=n1 e
< nothing
? ECDS ERROR
= ECDS e@3
< ECDS n3 e@3
? ECDS ERROR
> ECDS n3 e
< nothing
? ECDS SYNCED
