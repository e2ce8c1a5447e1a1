/*
 * The part of `constants` that is about networks: every constant of netlink and rtnetlink that room `kernel` repeats in
 * Java, one "NAME value" per line. Does nothing else to the system.
 */
#define _GNU_SOURCE
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

#define SHOW(name) {#name, (long long)(name)}

static const struct {
  const char *name;
  long long value;
} rtnetlink[] = {
    /* netlink(7): messages, acknowledgements */
    SHOW(NETLINK_ROUTE), SHOW(SOL_NETLINK), SHOW(NETLINK_CAP_ACK), SHOW(NETLINK_EXT_ACK),
    SHOW(NETLINK_GET_STRICT_CHK), SHOW(NLMSG_ERROR), SHOW(NLMSG_DONE), SHOW(NLM_F_REQUEST),
    SHOW(NLM_F_ACK), SHOW(NLM_F_DUMP), SHOW(NLM_F_CREATE), SHOW(NLM_F_EXCL),
    SHOW(NLM_F_REPLACE), SHOW(NLM_F_DUMP_INTR), SHOW(NLM_F_CAPPED), SHOW(NLM_F_ACK_TLVS),
    SHOW(NLMSGERR_ATTR_MSG), SHOW(NLA_F_NESTED), SHOW(NLA_TYPE_MASK), SHOW(RTMGRP_LINK),
    /* rtnetlink(7): kinds of messages */
    SHOW(RTM_NEWLINK), SHOW(RTM_DELLINK), SHOW(RTM_GETLINK), SHOW(RTM_SETLINK), SHOW(RTM_NEWADDR),
    SHOW(RTM_DELADDR), SHOW(RTM_GETADDR), SHOW(RTM_NEWROUTE), SHOW(RTM_DELROUTE),
    SHOW(RTM_GETROUTE), SHOW(RTM_NEWNEIGH), SHOW(RTM_DELNEIGH), SHOW(RTM_GETNEIGH),
    /* links */
    SHOW(IFLA_ADDRESS), SHOW(IFLA_IFNAME), SHOW(IFLA_MTU), SHOW(IFLA_LINK), SHOW(IFLA_MASTER),
    SHOW(IFLA_LINKINFO), SHOW(IFLA_NET_NS_FD), SHOW(IFLA_GROUP), SHOW(IFLA_STATS64),
    SHOW(IFLA_AF_SPEC), SHOW(IFLA_IFALIAS), SHOW(IFLA_INET6_ADDR_GEN_MODE),
    SHOW(IN6_ADDR_GEN_MODE_NONE), SHOW(IFLA_INFO_KIND), SHOW(IFLA_INFO_DATA),
    SHOW(IFLA_INFO_SLAVE_KIND), SHOW(IFLA_INFO_SLAVE_DATA), SHOW(IFLA_BRPORT_MODE), SHOW(IFLA_BRPORT_ISOLATED),
    SHOW(VETH_INFO_PEER), SHOW(IFLA_MACVLAN_MODE), SHOW(MACVLAN_MODE_PRIVATE),
    SHOW(MACVLAN_MODE_VEPA), SHOW(MACVLAN_MODE_BRIDGE), SHOW(MACVLAN_MODE_PASSTHRU),
    SHOW(IFLA_IPVLAN_MODE), SHOW(IFLA_IPVLAN_FLAGS), SHOW(IPVLAN_MODE_L2), SHOW(IPVLAN_MODE_L3),
    SHOW(IPVLAN_MODE_L3S), SHOW(IPVLAN_F_PRIVATE), SHOW(IPVLAN_F_VEPA), SHOW(IFLA_VLAN_ID),
    SHOW(IFF_UP), SHOW(IFF_PROMISC), SHOW(IFF_NOARP),
    /* addresses */
    SHOW(IFA_ADDRESS), SHOW(IFA_LOCAL), SHOW(IFA_BROADCAST), SHOW(IFA_FLAGS), SHOW(IFA_F_NODAD),
    SHOW(IFA_F_PERMANENT),
    /* routes */
    SHOW(RTA_DST), SHOW(RTA_OIF), SHOW(RTA_GATEWAY), SHOW(RTA_PREFSRC), SHOW(RTA_PRIORITY),
    SHOW(RTA_TABLE), SHOW(RT_TABLE_MAIN), SHOW(RT_TABLE_LOCAL), SHOW(RTPROT_BOOT),
    SHOW(RTPROT_STATIC), SHOW(RT_SCOPE_UNIVERSE), SHOW(RT_SCOPE_LINK), SHOW(RT_SCOPE_HOST),
    SHOW(RTN_UNICAST), SHOW(RTNH_F_ONLINK), SHOW(RTN_LOCAL), SHOW(RTA_METRICS), SHOW(RTAX_LOCK),
    SHOW(RTAX_MTU),
    /* classifiers of traffic */
    SHOW(RTM_NEWQDISC), SHOW(RTM_NEWTFILTER), SHOW(TCA_KIND), SHOW(TCA_OPTIONS),
    {"TC_H_CLSACT", (int)TC_H_CLSACT}, SHOW(TC_H_MIN_INGRESS), SHOW(ETH_P_ALL), SHOW(TCA_BPF_FD),
    SHOW(TCA_BPF_NAME), SHOW(TCA_BPF_FLAGS), SHOW(TCA_BPF_FLAG_ACT_DIRECT),
    /* neighbours */
    SHOW(NDA_DST), SHOW(NDA_LLADDR), SHOW(NUD_PERMANENT), SHOW(NUD_REACHABLE),
    /* families */
    SHOW(AF_UNSPEC), SHOW(AF_INET), SHOW(AF_INET6),
};

void print_rtnetlink(void);

void print_rtnetlink(void) {
  for (size_t i = 0; i < sizeof rtnetlink / sizeof rtnetlink[0]; i++)
    printf("%s %lld\n", rtnetlink[i].name, rtnetlink[i].value);
}
