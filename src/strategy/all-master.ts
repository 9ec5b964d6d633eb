/** The article's reason against all-master keepalived where there is no balancer in front. */
export const blackHole =
  'with no balancer in front, an address that every master holds works from inside the subnet, but the router outside keeps sending to the one master it has learned: when that one dies, outside clients lose the endpoint though two masters are healthy';
