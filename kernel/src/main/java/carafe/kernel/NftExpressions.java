package carafe.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// Writes a rule's statements as the small programs the kernel runs: loads into registers, comparisons, look-ups,
/// verdicts. Registers of four bytes are used from the first one on, anew in each statement.
/// Source: linux/netfilter/nf_tables.h.
final class NftExpressions {

    private static final byte[] LOOPBACK_MASK = {(byte) 255, 0, 0, 0};
    private static final byte[] LOOPBACK_NET = {127, 0, 0, 0};
    private static final int ESTABLISHED = 2; // NF_CT_STATE_BIT(IP_CT_ESTABLISHED), not in the user's headers
    private static final int RELATED = 4; // NF_CT_STATE_BIT(IP_CT_RELATED)

    private final NftWriter out;

    NftExpressions(NftWriter out) {
        this.out = out;
    }

    /// Writes one statement into the open list of expressions.
    void write(NftStatement statement) {
        switch (statement) {
            case NftStatement.Family(boolean six) -> {
                meta(NfTables.NFT_META_NFPROTO, NfTables.NFT_REG32_00);
                compare(false, new byte[] {(byte) (six ? NfTables.NFPROTO_IPV6 : NfTables.NFPROTO_IPV4)});
            }
            case NftStatement.Is(var what, boolean not, var value) -> {
                load(what, NfTables.NFT_REG32_00);
                compare(not, what.type().encode(value));
            }
            case NftStatement.Loopback4(var what, boolean not) -> {
                load(what, NfTables.NFT_REG32_00);
                mask(LOOPBACK_MASK);
                compare(not, LOOPBACK_NET);
            }
            case NftStatement.ToThisHost _ -> toThisHost();
            case NftStatement.In(var what, boolean not, var set) -> {
                load(what);
                lookup(set, not, -1);
            }
            case NftStatement.Marked(int mark, int mask) -> {
                meta(NfTables.NFT_META_MARK, NfTables.NFT_REG32_00);
                if (mask != -1) {
                    mask(number(mask));
                }
                compare(false, number(mark));
            }
            case NftStatement.Established _ -> bits(NfTables.NFT_CT_STATE, ESTABLISHED | RELATED);
            case NftStatement.DestinationTranslated _ -> bits(NfTables.NFT_CT_STATUS, NfTables.IPS_DST_NAT);
            case NftStatement.Translate(boolean six, var key, var map) -> {
                load(key);
                lookup(map, false, NfTables.NFT_REG32_00);
                translate(six);
            }
            case NftStatement.TranslateTo(var address, int port) -> {
                immediate(NfTables.NFT_REG32_00, NftType.IPV4_ADDR.encode(address));
                immediate(NfTables.NFT_REG32_00 + 1, NftType.INET_SERVICE.encode(Integer.toString(port)));
                translate(false);
            }
            case NftStatement.Pretend(boolean six, var key, var map) -> {
                load(List.of(key));
                lookup(map, false, NfTables.NFT_REG32_00);
                pretend(six);
            }
            case NftStatement.Masquerade _ -> end(begin("masq"));
            case NftStatement.Accept _ -> verdict(NfTables.NF_ACCEPT);
            case NftStatement.Drop _ -> verdict(NfTables.NF_DROP);
        }
    }

    private record Open(int element, int data) {}

    private Open begin(String expression) {
        int element = out.open(NfTables.NFTA_LIST_ELEM);
        out.text(NfTables.NFTA_EXPR_NAME, expression);
        return new Open(element, out.open(NfTables.NFTA_EXPR_DATA));
    }

    private void end(Open open) {
        out.close(open.data);
        out.close(open.element);
    }

    private void load(List<NftSelector> fields) {
        int register = NfTables.NFT_REG32_00;
        for (var field : fields) {
            load(field, register);
            register += field.type().paddedBytes() / 4;
        }
    }

    private void load(NftSelector field, int register) {
        int bytes = field.type().bytes();
        switch (field) {
            case IN_NAME -> meta(NfTables.NFT_META_IIFNAME, register);
            case OUT_NAME -> meta(NfTables.NFT_META_OIFNAME, register);
            case PROTOCOL -> meta(NfTables.NFT_META_L4PROTO, register);
            case SOURCE4 -> payload(NfTables.NFT_PAYLOAD_NETWORK_HEADER, 12, bytes, register);
            case DESTINATION4 -> payload(NfTables.NFT_PAYLOAD_NETWORK_HEADER, 16, bytes, register);
            case SOURCE6 -> payload(NfTables.NFT_PAYLOAD_NETWORK_HEADER, 8, bytes, register);
            case DESTINATION6 -> payload(NfTables.NFT_PAYLOAD_NETWORK_HEADER, 24, bytes, register);
            case DESTINATION_PORT -> payload(NfTables.NFT_PAYLOAD_TRANSPORT_HEADER, 2, bytes, register);
        }
    }

    private void meta(int key, int register) {
        var meta = begin("meta");
        out.number(NfTables.NFTA_META_KEY, key);
        out.number(NfTables.NFTA_META_DREG, register);
        end(meta);
    }

    private void payload(int base, int offset, int bytes, int register) {
        var payload = begin("payload");
        out.number(NfTables.NFTA_PAYLOAD_DREG, register);
        out.number(NfTables.NFTA_PAYLOAD_BASE, base);
        out.number(NfTables.NFTA_PAYLOAD_OFFSET, offset);
        out.number(NfTables.NFTA_PAYLOAD_LEN, bytes);
        end(payload);
    }

    private void compare(boolean not, byte[] value) {
        var compare = begin("cmp");
        out.number(NfTables.NFTA_CMP_SREG, NfTables.NFT_REG32_00);
        out.number(NfTables.NFTA_CMP_OP, not ? NfTables.NFT_CMP_NEQ : NfTables.NFT_CMP_EQ);
        data(NfTables.NFTA_CMP_DATA, value);
        end(compare);
    }

    private void data(int attribute, byte[] value) {
        int data = out.open(attribute);
        out.bytes(NfTables.NFTA_DATA_VALUE, value);
        out.close(data);
    }

    private void mask(byte[] mask) {
        var bitwise = begin("bitwise");
        out.number(NfTables.NFTA_BITWISE_SREG, NfTables.NFT_REG32_00);
        out.number(NfTables.NFTA_BITWISE_DREG, NfTables.NFT_REG32_00);
        out.number(NfTables.NFTA_BITWISE_LEN, mask.length);
        data(NfTables.NFTA_BITWISE_MASK, mask);
        data(NfTables.NFTA_BITWISE_XOR, new byte[mask.length]);
        end(bitwise);
    }

    /// One of `bits` is set in what connection tracking knows.
    private void bits(int key, int bits) {
        var ct = begin("ct");
        out.number(NfTables.NFTA_CT_KEY, key);
        out.number(NfTables.NFTA_CT_DREG, NfTables.NFT_REG32_00);
        end(ct);
        mask(number(bits));
        compare(true, number(0));
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array();
    }

    private void toThisHost() {
        var fib = begin("fib");
        out.number(NfTables.NFTA_FIB_FLAGS, NfTables.NFTA_FIB_F_DADDR);
        out.number(NfTables.NFTA_FIB_RESULT, NfTables.NFT_FIB_RESULT_ADDRTYPE);
        out.number(NfTables.NFTA_FIB_DREG, NfTables.NFT_REG32_00);
        end(fib);
        compare(false, number(NfTables.RTN_LOCAL));
    }

    private void lookup(String set, boolean not, int destination) {
        var lookup = begin("lookup");
        out.text(NfTables.NFTA_LOOKUP_SET, set);
        out.number(NfTables.NFTA_LOOKUP_SREG, NfTables.NFT_REG32_00);
        if (destination >= 0) {
            out.number(NfTables.NFTA_LOOKUP_DREG, destination);
        }
        if (not) {
            out.number(NfTables.NFTA_LOOKUP_FLAGS, NfTables.NFT_LOOKUP_F_INV);
        }
        end(lookup);
    }

    private void immediate(int register, byte[] value) {
        var immediate = begin("immediate");
        out.number(NfTables.NFTA_IMMEDIATE_DREG, register);
        data(NfTables.NFTA_IMMEDIATE_DATA, value);
        end(immediate);
    }

    private void translate(boolean six) {
        var nat = begin("nat");
        out.number(NfTables.NFTA_NAT_TYPE, NfTables.NFT_NAT_DNAT);
        out.number(NfTables.NFTA_NAT_FAMILY, six ? NfTables.NFPROTO_IPV6 : NfTables.NFPROTO_IPV4);
        out.number(NfTables.NFTA_NAT_REG_ADDR_MIN, NfTables.NFT_REG32_00);
        out.number(NfTables.NFTA_NAT_REG_PROTO_MIN, NfTables.NFT_REG32_00 + (six ? 4 : 1));
        end(nat);
    }

    private void pretend(boolean six) {
        var nat = begin("nat");
        out.number(NfTables.NFTA_NAT_TYPE, NfTables.NFT_NAT_SNAT);
        out.number(NfTables.NFTA_NAT_FAMILY, six ? NfTables.NFPROTO_IPV6 : NfTables.NFPROTO_IPV4);
        out.number(NfTables.NFTA_NAT_REG_ADDR_MIN, NfTables.NFT_REG32_00);
        end(nat);
    }

    private void verdict(int code) {
        var immediate = begin("immediate");
        out.number(NfTables.NFTA_IMMEDIATE_DREG, NfTables.NFT_REG_VERDICT);
        int data = out.open(NfTables.NFTA_IMMEDIATE_DATA);
        int verdict = out.open(NfTables.NFTA_DATA_VERDICT);
        out.number(NfTables.NFTA_VERDICT_CODE, code);
        out.close(verdict);
        out.close(data);
        end(immediate);
    }
}
