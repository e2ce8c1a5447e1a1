package carafe.kernel;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Changes of one table that the kernel makes all at once or not at all. To be filled by one thread and given to
/// [Nftables#apply] once.
public final class NftTransaction {

    private static final int SUBSYSTEM = NfTables.NFNL_SUBSYS_NFTABLES << 8;
    private static final int MOST_ELEMENT_BYTES = 32 << 10; // of an attribute's 64 KiB

    /// A note for the `nft` command: type, length, number in the machine's order.
    private static final byte[] KEY_IN_HOST_ORDER =
            ByteBuffer.allocate(6).order(ByteOrder.nativeOrder()).put((byte) 0).put((byte) 4).putInt(1).array();

    private final NftWriter out = new NftWriter();
    private final String table;
    private final List<String> subjects = new ArrayList<>();

    /// Changes of the table called `table`.
    public NftTransaction(String table) {
        this.table = table;
        out.begin(NfTables.NFNL_MSG_BATCH_BEGIN, 0, 0, NfTables.NFNL_SUBSYS_NFTABLES);
        out.end();
        subjects.add("transaction");
    }

    /// Adds the table with its sets and chains; where it exists already, it is completed, and chains get their rules a
    /// second time: so [#delete] it first.
    public NftTransaction create(NftTable definition) {
        create(definition.comment());
        definition.sets().forEach(this::create);
        definition.chains().forEach(this::create);
        return this;
    }

    private void create(String comment) {
        begin(NfTables.NFT_MSG_NEWTABLE, NfTables.NLM_F_CREATE, "table " + table);
        out.text(NfTables.NFTA_TABLE_NAME, table);
        out.number(NfTables.NFTA_TABLE_FLAGS, 0);
        if (!comment.isEmpty()) {
            out.bytes(NfTables.NFTA_TABLE_USERDATA, NftComment.write(comment));
        }
        out.end();
    }

    /// Deletes the table with all it holds, whether it is there or not.
    public NftTransaction delete() {
        create(""); // deleting what is not there is an error
        begin(NfTables.NFT_MSG_DELTABLE, 0, "table " + table);
        out.text(NfTables.NFTA_TABLE_NAME, table);
        out.end();
        return this;
    }

    private void create(NftSet set) {
        begin(NfTables.NFT_MSG_NEWSET, NfTables.NLM_F_CREATE, "set " + set.name());
        out.text(NfTables.NFTA_SET_TABLE, table);
        out.text(NfTables.NFTA_SET_NAME, set.name());
        out.number(NfTables.NFTA_SET_FLAGS, (set.isMap() ? NfTables.NFT_SET_MAP : 0)
                | (set.ranges() ? NfTables.NFT_SET_INTERVAL | NfTables.NFT_SET_CONCAT : 0));
        out.number(NfTables.NFTA_SET_KEY_TYPE, number(set.key()));
        out.number(NfTables.NFTA_SET_KEY_LEN, bytes(set.key()));
        if (set.isMap()) {
            out.number(NfTables.NFTA_SET_DATA_TYPE, number(set.data()));
            out.number(NfTables.NFTA_SET_DATA_LEN, bytes(set.data()));
        }
        out.number(NfTables.NFTA_SET_ID, subjects.size());
        if (set.ranges()) {
            int description = out.open(NfTables.NFTA_SET_DESC);
            int fields = out.open(NfTables.NFTA_SET_DESC_CONCAT);
            for (var type : set.key()) {
                int field = out.open(NfTables.NFTA_LIST_ELEM);
                out.number(NfTables.NFTA_SET_FIELD_LEN, type.bytes());
                out.close(field);
            }
            out.close(fields);
            out.close(description);
        }
        if (set.key().equals(List.of(NftType.IFNAME))) {
            out.bytes(NfTables.NFTA_SET_USERDATA, KEY_IN_HOST_ORDER); // or nft(8) lists names from behind
        }
        out.end();
    }

    /// The types of several fields in one number, as the `nft` command keeps them: six bits each.
    private static int number(List<NftType> types) {
        return types.stream().mapToInt(NftType::number).reduce(0, (all, one) -> all << 6 | one);
    }

    private static int bytes(List<NftType> types) {
        return types.size() == 1
                ? types.getFirst().bytes()
                : types.stream().mapToInt(NftType::paddedBytes).sum();
    }

    private void create(NftChain chain) {
        begin(NfTables.NFT_MSG_NEWCHAIN, NfTables.NLM_F_CREATE, "chain " + chain.name());
        out.text(NfTables.NFTA_CHAIN_TABLE, table);
        out.text(NfTables.NFTA_CHAIN_NAME, chain.name());
        int hook = out.open(NfTables.NFTA_CHAIN_HOOK);
        out.number(NfTables.NFTA_HOOK_HOOKNUM, chain.hook().ordinal());
        out.number(NfTables.NFTA_HOOK_PRIORITY, chain.priority());
        out.close(hook);
        out.number(NfTables.NFTA_CHAIN_POLICY, NfTables.NF_ACCEPT);
        out.text(NfTables.NFTA_CHAIN_TYPE, chain.kind().toString());
        out.end();
        for (var rule : chain.rules()) {
            begin(NfTables.NFT_MSG_NEWRULE, NfTables.NLM_F_CREATE | NfTables.NLM_F_APPEND, "rule " + rule);
            out.text(NfTables.NFTA_RULE_TABLE, table);
            out.text(NfTables.NFTA_RULE_CHAIN, chain.name());
            int list = out.open(NfTables.NFTA_RULE_EXPRESSIONS);
            var expressions = new NftExpressions(out);
            rule.forEach(expressions::write);
            out.close(list);
            out.end();
        }
    }

    /// Adds elements; one that is there with the same data is no error, with other data it is.
    public NftTransaction add(NftSet set, List<NftElement> elements) {
        return change(NfTables.NFT_MSG_NEWSETELEM, NfTables.NLM_F_CREATE, set, elements);
    }

    /// Removes elements, which must be there.
    public NftTransaction remove(NftSet set, List<NftElement> elements) {
        return change(NfTables.NFT_MSG_DELSETELEM, 0, set, elements);
    }

    private NftTransaction change(int message, int flags, NftSet set, List<NftElement> elements) {
        int next = 0;
        while (next < elements.size()) {
            begin(message, flags, "set " + set.name());
            out.text(NfTables.NFTA_SET_ELEM_LIST_TABLE, table);
            out.text(NfTables.NFTA_SET_ELEM_LIST_SET, set.name());
            int list = out.open(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS);
            while (next < elements.size() && out.size(list) < MOST_ELEMENT_BYTES) {
                element(set, elements.get(next++));
            }
            out.close(list);
            out.end();
        }
        return this;
    }

    private void element(NftSet set, NftElement element) {
        if (!set.takes(element)) {
            throw new IllegalArgumentException(element + " is no element of " + set);
        }
        int item = out.open(NfTables.NFTA_LIST_ELEM);
        value(NfTables.NFTA_SET_ELEM_KEY, element.key());
        if (set.ranges()) {
            value(NfTables.NFTA_SET_ELEM_KEY_END, element.last());
        }
        if (set.isMap()) {
            value(NfTables.NFTA_SET_ELEM_DATA, element.data());
        }
        out.close(item);
    }

    private void value(int attribute, List<NftValue> values) {
        var joined = new ByteArrayOutputStream();
        for (var value : values) {
            joined.writeBytes(value.bytes());
            for (int i = value.type().bytes(); values.size() > 1 && i < value.type().paddedBytes(); i++) {
                joined.write(0);
            }
        }
        int open = out.open(attribute);
        out.bytes(NfTables.NFTA_DATA_VALUE, joined.toByteArray());
        out.close(open);
    }

    private void begin(int message, int flags, String subject) {
        // Every message is answered, so that none can be lost unnoticed.
        out.begin(SUBSYSTEM | message, flags | NfTables.NLM_F_ACK, NfTables.NFPROTO_INET, 0);
        subjects.add(subject);
    }

    /// The whole batch; nothing can be added any more.
    byte[] finish() {
        out.begin(NfTables.NFNL_MSG_BATCH_END, 0, 0, NfTables.NFNL_SUBSYS_NFTABLES);
        out.end();
        return out.finish();
    }

    /// What the message with that sequence number is about.
    String subject(int sequence) {
        return sequence >= 0 && sequence < subjects.size() ? subjects.get(sequence) : "transaction";
    }

    /// How many answers there will be.
    int answers() {
        return subjects.size() - 1;
    }
}
