# Refused together, and Envoy names one: the other is sent again, since it may not have been applied.
= RDS a@1 b@1
< nothing
> RDS a b
< RDS n1 a@1 b@1
> RDS n1 a b
< nothing
= RDS a@2 b@2
< RDS n2 a@2 b@2
> RDS n2 version=n1 a b error="route config 'b' is bad"
< RDS n3 a@2
> RDS n3 a b
< nothing
? RDS ERROR
# Going back is sent too, since parts may have been applied.
= RDS a@2 b@1
< RDS n4 b@1
> RDS n4 a b
< nothing
? RDS SYNCED
# Also of what went away and came back in between.
= RDS a@3 b@3
< RDS n5 a@3 b@3
= RDS b@3
< nothing
> RDS n5 version=n4 a b error="route config 'b' is bad"
< nothing
= RDS a@2 b@3
< RDS n6 a@2
> RDS n6 a b
< nothing
= RDS a@2 b@1
< RDS n7 b@1
