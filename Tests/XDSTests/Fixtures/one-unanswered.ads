# While a response is unanswered, versions pass by; the answer brings the newest.
= LDS l@1; ECDS e@1
< nothing
> LDS
< LDS n1 l@1
= LDS l@2
< nothing
= LDS l@3
< nothing
# Other types go on.
> ECDS e
< ECDS n2 e@1
> LDS n1
< LDS n3 l@3
= LDS l@4
< nothing
= LDS l@3
< nothing
> LDS n3
< nothing
? LDS SYNCED
