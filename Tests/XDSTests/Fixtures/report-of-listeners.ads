# Listeners are a full state: what was refused late is there, and had later needs no response.
= LDS l@1 m@1
< nothing
> LDS
< LDS n1 l@1 m@1
> LDS n1
< nothing
~ LDS l@1 error="404"
< nothing
? LDS ERROR
~ LDS l@1 error="404 again"
< nothing
~ LDS l@1
< nothing
? LDS SYNCED
