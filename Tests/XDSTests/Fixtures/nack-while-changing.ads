# A change that came while the refused response was unanswered is sent with the NACK.
= ECDS e@1
< nothing
> ECDS e
< ECDS n1 e@1
= ECDS e@2
< nothing
> ECDS n1 e error="no"
< ECDS n2 e@2
