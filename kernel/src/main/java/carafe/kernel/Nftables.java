package carafe.kernel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// The packet filter of one network namespace, spoken to by netlink: no library is needed on the host, and a change
/// costs the same however many rules others have. Source: linux/netfilter/nf_tables.h, nft(8).
public final class Nftables implements AutoCloseable {

    private final NfSocket socket;

    private Nftables(NfSocket socket) {
        this.socket = socket;
    }

    /// The filter of the calling thread's network namespace, also when used from other threads later.
    /// @throws KernelException EPROTONOSUPPORT the kernel has no netfilter
    public static Nftables open() throws KernelException {
        return new Nftables(NfSocket.open(0));
    }

    /// Makes all changes at once, or none. Blocks while the kernel commits, well under a millisecond for a few elements.
    /// @throws KernelException ENOENT what is changed is not there; EEXIST, EBUSY an element is there with other data;
    ///         EPERM no CAP_NET_ADMIN; its subject says which part was refused
    public synchronized void apply(NftTransaction changes) throws KernelException {
        socket.send(changes.finish());
        int answers = 0;
        KernelException first = null;
        for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
            var reader = new NfReader(datagram);
            while (reader.next()) {
                if (reader.type() != NfTables.NLMSG_ERROR) {
                    continue;
                }
                answers++;
                if (reader.error() != 0 && first == null) {
                    first = new KernelException("nftables", changes.subject(reader.sequence()), reader.error(),
                            reader.errorText());
                }
            }
        }
        if (first != null) {
            throw first;
        }
        if (answers < changes.answers()) {
            throw new KernelException("nftables", "transaction", Errno.EIO, answers + " answers");
        }
    }

    /// A chain of whoever that the kernel asks at a hook. `family` is the table's, `inet` or `ip`; `drops` says that what
    /// no rule decides is dropped; `rules` counts those that are asked; `legacy` ones are x_tables' ([LegacyFilter]).
    public record BaseChain(
            String family, String table, String name, NftChain.Hook hook, boolean drops, int rules, boolean legacy) {}

    /// All chains at hooks, whoever owns them; tables of iptables-nft are among them, those of legacy iptables are not.
    public synchronized List<BaseChain> baseChains() throws KernelException {
        var request = new NftWriter();
        request.begin(NfTables.NFNL_SUBSYS_NFTABLES << 8 | NfTables.NFT_MSG_GETCHAIN, NfTables.NLM_F_DUMP, 0, 0);
        request.end();
        var chains = new ArrayList<BaseChain>();
        dump(request, "chains", NfTables.NFT_MSG_NEWCHAIN, reader -> baseChain(reader).ifPresent(chains::add));
        return chains;
    }

    /// A table of family inet of whoever, and the comment that its maker left on it.
    public record TableNote(String name, String comment) {}

    /// All tables of family inet.
    public synchronized List<TableNote> tables() throws KernelException {
        var request = new NftWriter();
        request.begin(NfTables.NFNL_SUBSYS_NFTABLES << 8 | NfTables.NFT_MSG_GETTABLE, NfTables.NLM_F_DUMP,
                NfTables.NFPROTO_INET, 0);
        request.end();
        var tables = new ArrayList<TableNote>();
        dump(request, "tables", NfTables.NFT_MSG_NEWTABLE, reader -> {
            if (reader.family() == NfTables.NFPROTO_INET) {
                reader.text(NfTables.NFTA_TABLE_NAME).ifPresent(name -> tables.add(new TableNote(
                        name, reader.bytes(NfTables.NFTA_TABLE_USERDATA).map(NftComment::read).orElse(""))));
            }
        });
        return tables;
    }

    /// The keys of all elements of a set of a table of whoever, each with its fields as the kernel holds them: numbers begin
    /// with the high byte, names end with NULs. None where there is no such table, or its set has other fields.
    public synchronized List<List<byte[]>> keys(String table, NftSet set) throws KernelException {
        var request = new NftWriter();
        request.begin(NfTables.NFNL_SUBSYS_NFTABLES << 8 | NfTables.NFT_MSG_GETSETELEM, NfTables.NLM_F_DUMP,
                NfTables.NFPROTO_INET, 0);
        request.text(NfTables.NFTA_SET_ELEM_LIST_TABLE, table);
        request.text(NfTables.NFTA_SET_ELEM_LIST_SET, set.name());
        request.end();
        var keys = new ArrayList<List<byte[]>>();
        try {
            dump(request, "elements of " + set.name() + " of table " + table, NfTables.NFT_MSG_NEWSETELEM, reader ->
                    reader.each(NfTables.NFTA_SET_ELEM_LIST_ELEMENTS, NfTables.NFTA_LIST_ELEM,
                            NfTables.NFTA_SET_ELEM_KEY, NfTables.NFTA_DATA_VALUE)
                            .forEach(key -> set.fields(key).ifPresent(keys::add)));
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw e;
            }
        }
        return keys;
    }

    private void dump(NftWriter request, String subject, int answer, Consumer<NfReader> each) throws KernelException {
        socket.send(request.finish());
        for (ByteBuffer datagram = socket.poll(); datagram != null; datagram = socket.poll()) {
            var reader = new NfReader(datagram);
            while (reader.next()) {
                if (reader.type() == NfTables.NLMSG_ERROR && reader.error() != 0) {
                    throw new KernelException("nftables", subject, reader.error(), reader.errorText());
                }
                if (reader.type() == (NfTables.NFNL_SUBSYS_NFTABLES << 8 | answer)) {
                    each.accept(reader);
                }
            }
        }
    }

    private static Optional<BaseChain> baseChain(NfReader reader) {
        String family = switch (reader.family()) {
            case NfTables.NFPROTO_INET -> "inet";
            case NfTables.NFPROTO_IPV4 -> "ip";
            case NfTables.NFPROTO_IPV6 -> "ip6";
            default -> "";
        };
        int hook = reader.number(-1, NfTables.NFTA_CHAIN_HOOK, NfTables.NFTA_HOOK_HOOKNUM);
        var table = reader.text(NfTables.NFTA_CHAIN_TABLE);
        var name = reader.text(NfTables.NFTA_CHAIN_NAME);
        if (family.isEmpty() || hook < 0 || hook >= NftChain.Hook.values().length || table.isEmpty() || name.isEmpty()) {
            return Optional.empty(); // no hook, or one of another family
        }
        boolean drops = reader.number(NfTables.NF_ACCEPT, NfTables.NFTA_CHAIN_POLICY) == NfTables.NF_DROP;
        return Optional.of(new BaseChain(family, table.get(), name.get(), NftChain.Hook.values()[hook], drops,
                reader.number(0, NfTables.NFTA_CHAIN_USE), false));
    }

    /// The number by which [NftWatch] knows that a change was made here.
    int port() {
        return socket.port();
    }

    @Override
    public void close() {
        socket.close();
    }
}
