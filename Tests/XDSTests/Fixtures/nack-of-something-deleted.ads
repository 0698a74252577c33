# To delete what was refused mends it too.
= ECDS e@1
< nothing
> ECDS e
< ECDS n1 e@1
> ECDS n1 e error="no"
< nothing
? ECDS ERROR
= ECDS -
< nothing
? ECDS SYNCED
