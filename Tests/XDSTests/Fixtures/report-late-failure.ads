# Accepted, and then its module cannot be had: as a rejection, and not sent again.
= ECDS a@1 b@1
< nothing
> ECDS a b
< ECDS n1 a@1 b@1
# While the answer is awaited, the answer tells.
~ ECDS a@1 error="404"
< nothing
> ECDS n1 a b
< nothing
? ECDS SYNCED
~ ECDS a@1 error="404"
< nothing
? ECDS ERROR
# Another resource moves on meanwhile; a report of bytes that are not in force says nothing.
= ECDS a@1 b@2
< ECDS n2 b@2
> ECDS n2 a b
< nothing
~ ECDS b@1 error="404"
< nothing
? ECDS ERROR
# Had after all: what is sent once more is accepted.
~ ECDS a@1
< ECDS n3 a@1
> ECDS n3 a b
< nothing
? ECDS SYNCED
