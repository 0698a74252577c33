# An ACK may carry new names: only they are sent.
= RDS r@1 s@1
< nothing
> RDS r
< RDS n1 r@1
> RDS n1 r s
< RDS n2 s@1
> RDS n2 r s
< nothing
# So may a later request with the current nonce.
= RDS r@1 s@1 t@1
< nothing
> RDS n2 r s t
< RDS n3 t@1
