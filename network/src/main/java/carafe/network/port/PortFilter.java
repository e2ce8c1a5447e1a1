package carafe.network.port;

import carafe.kernel.Errno;
import carafe.kernel.Host;
import carafe.kernel.KernelException;
import carafe.kernel.LegacyFilter;
import carafe.kernel.Netlink;
import carafe.kernel.NftElement;
import carafe.kernel.NftSet;
import carafe.kernel.NftTable;
import carafe.kernel.NftTransaction;
import carafe.kernel.NftWatch;
import carafe.kernel.Nftables;
import carafe.network.Firewall;
import carafe.network.port.Elements.Member;
import carafe.spec.EngineException;
import carafe.spec.network.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The engine's nftables table. What it shall hold is kept here, by owner, and the kernel's copy follows: each change is
/// one transaction, and when somebody else touches the table it is made anew as a whole, also in one. What is given up is
/// given up also where the kernel refuses that: then the table is `behind`, and made anew with the next change, which
/// fails if that is refused, and each second until it is not.
///
/// Begins silent: the table that an earlier life of the engine left stays in force while networks and ports are told
/// again, until [#hold] puts the new one into its place. The lock guards all fields; under it the kernel is asked, which
/// is the point: transactions of one table come one after the other.
public final class PortFilter implements Firewall, AutoCloseable {

    private static final System.Logger LOG = System.getLogger("carafe.network");
    private static final String NETWORK = "network ";
    private static final String PORTS = "ports ";
    private static final String TRANSLATOR = "the translator";
    private static final long RETRY_MILLIS = 1000;

    private final NftTable table;
    private final OtherTables others;
    private final Nftables nftables;
    private final Netlink links;
    private final NftWatch.Stop stop;
    private final Watches watches;
    private final Changes changes;
    private final Thread watcher;
    private final Map<String, Set<Member>> wanted = new LinkedHashMap<>();
    private boolean holding;
    private boolean behind;
    private boolean closed;
    private long assertions;

    /// How changes by others are heard of.
    interface Watches {
        Watch open(Nftables ours, String table, NftWatch.Stop stop) throws KernelException;
    }

    /// How the table is changed.
    interface Changes {
        void apply(Nftables ours, NftTransaction transaction) throws KernelException;
    }

    /// One such, made, used and closed by one thread.
    interface Watch extends AutoCloseable {

        /// As [NftWatch#await].
        boolean await() throws KernelException;

        @Override
        void close();
    }

    /// By the kernel.
    static Watch kernels(Nftables ours, String table, NftWatch.Stop stop) throws KernelException {
        var watch = new NftWatch(ours, table, stop);
        return new Watch() {
            @Override
            public boolean await() throws KernelException {
                return watch.await();
            }

            @Override
            public void close() {
                watch.close();
            }
        };
    }

    private PortFilter(NftTable table, OtherTables others, Handles handles) {
        this.table = table;
        this.others = others;
        this.nftables = handles.nftables;
        this.links = handles.links;
        this.stop = handles.stop;
        this.watches = handles.watches;
        this.changes = handles.changes;
        this.watcher = Thread.ofPlatform().daemon().name("nftables-watch").start(this::watch);
    }

    /// What the kernel is asked by, adopted by the filter.
    private record Handles(Nftables nftables, Netlink links, NftWatch.Stop stop, Watches watches, Changes changes) {}

    /// The table of the engine with this mark, a few letters and digits, that has `dataRoot` to itself, in the calling
    /// thread's network namespace; packets that others gave the mark `trusted` enter and leave its bridges. Tables of
    /// engines that were killed and cannot come back are removed first.
    /// @throws EngineException.Unavailable the kernel has no nftables
    public static PortFilter open(String mark, Path dataRoot, Optional<PacketMark> trusted) throws EngineException {
        return open(mark, Optional.of(TableOwner.here(dataRoot)), trusted);
    }

    static PortFilter open(String mark, Optional<TableOwner> owner) throws EngineException {
        return open(mark, owner, Optional.empty());
    }

    static PortFilter open(String mark, Optional<TableOwner> owner, Optional<PacketMark> trusted) throws EngineException {
        return open(new Name(mark, owner), trusted, PortFilter::kernels, Nftables::apply);
    }

    /// Whose table it is.
    private record Name(String mark, Optional<TableOwner> owner) {}

    /// The same for an engine that says so, or one that does not say who it is.
    static PortFilter open(String mark, Optional<TableOwner> owner, Watches watches, Changes changes)
            throws EngineException {
        return open(new Name(mark, owner), Optional.empty(), watches, changes);
    }

    private static PortFilter open(Name whose, Optional<PacketMark> trusted, Watches watches, Changes changes)
            throws EngineException {
        var made = new ArrayDeque<Runnable>();
        try {
            var nftables = Nftables.open();
            made.push(nftables::close);
            var links = Netlink.open();
            made.push(links::close);
            var stop = new NftWatch.Stop();
            String name = "carafe-" + whose.mark;
            var others = new OtherTables(name, whose.owner, nftables, links);
            others.sweep();
            var table = Ruleset.table(name, whose.owner.map(TableOwner::comment).orElse(""), trusted);
            var filter = new PortFilter(table, others, new Handles(nftables, links, stop, watches, changes));
            made.clear();
            return filter;
        } catch (KernelException e) {
            throw failure("the packet filter cannot be reached", e);
        } finally {
            made.forEach(Runnable::run);
        }
    }

    /// The table's name.
    public String table() {
        return table.name();
    }

    @Override
    public void admit(BridgeRules rules) throws EngineException {
        admitLoopback(rules.link());
        change(NETWORK + rules.networkId(), Elements.of(rules));
    }

    /// Lets packets from 127.0.0.1 leave by the bridge, so that a port published there can be reached; chain `guard`
    /// keeps containers from the other direction.
    private static void admitLoopback(String link) throws EngineException {
        try {
            Host.setSysctl("net/ipv4/conf/" + link + "/route_localnet", "1");
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT, Errno.EROFS)) { // no IPv4; a host that cannot be told: only 127.0.0.1 is lost
                throw failure("packets of 127.0.0.1 cannot be admitted to " + link, e);
            }
        }
    }

    @Override
    public void dismiss(String networkId) throws EngineException {
        change(NETWORK + networkId, Set.of());
    }

    @Override
    public synchronized void retain(List<String> networkIds) throws EngineException {
        for (String owner : List.copyOf(wanted.keySet())) {
            if (owner.startsWith(NETWORK) && !networkIds.contains(owner.substring(NETWORK.length()))) {
                change(owner, Set.of());
            }
        }
    }

    /// The container's published ports are these from now on; returns when they hold.
    void publish(String containerId, List<Elements.Target> targets) throws EngineException {
        change(PORTS + containerId, members(targets));
    }

    /// The same of a container that gave up ports, or left a network: it is so, also if it does not hold yet.
    /// @return whether it holds
    synchronized boolean withdraw(String containerId, List<Elements.Target> targets) {
        String owner = PORTS + containerId;
        var members = members(targets);
        try {
            change(owner, members);
        } catch (EngineException e) {
            put(wanted, owner, members);
            if (!behind) {
                behind = true;
                LOG.log(System.Logger.Level.ERROR, e.getMessage() + "; until they are, which is tried every second, its ports"
                        + " may lead to where it was");
                Thread.ofVirtual().name("nftables-behind").start(this::followUp);
            }
        }
        return !behind;
    }

    private static Set<Member> members(List<Elements.Target> targets) {
        var members = new LinkedHashSet<Member>();
        targets.forEach(target -> members.addAll(Elements.of(target)));
        return members;
    }

    private static void put(Map<String, Set<Member>> owners, String owner, Set<Member> members) {
        if (members.isEmpty()) {
            owners.remove(owner);
        } else {
            owners.put(owner, Set.copyOf(members));
        }
    }

    /// Returns when nothing that was given up leads anywhere.
    synchronized void catchUp() throws EngineException {
        if (behind) {
            replace();
        }
    }

    private void followUp() {
        try {
            do {
                Thread.sleep(RETRY_MILLIS);
            } while (!hasCaughtUp());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does
        }
    }

    private synchronized boolean hasCaughtUp() {
        try {
            if (!closed) {
                catchUp();
            }
            return true;
        } catch (EngineException e) {
            return false; // people were told
        }
    }

    /// Packets of IPv6 that leave by `link`, one end of the pair that translates, come from `source`; what comes out of it
    /// by IPv4, at `four`, may go to containers.
    void translate(String link, String four, IpAddress source) throws EngineException {
        change(TRANSLATOR, Elements.translator(link, four, source));
    }

    /// Nothing is translated between the families.
    void translateNothing() throws EngineException {
        change(TRANSLATOR, Set.of());
    }

    /// What was told so far is the table from now on, and stays so whoever touches it.
    public synchronized void hold() throws EngineException {
        replace();
        holding = true;
    }

    /// The chains of other tables at hooks of the packet filter, and where packets are forwarded those of legacy
    /// iptables.
    synchronized List<Nftables.BaseChain> foreignChains() throws EngineException {
        try {
            var chains = new ArrayList<>(
                    nftables.baseChains().stream().filter(chain -> !chain.table().equals(table.name())).toList());
            for (boolean six : List.of(false, true)) {
                if (hasLegacyRules(six)) {
                    legacy(six).ifPresent(chains::add);
                }
            }
            return chains;
        } catch (KernelException e) {
            throw failure("the host's firewall cannot be read", e);
        }
    }

    /// Empty where the table went meanwhile, with its module.
    private static Optional<Nftables.BaseChain> legacy(boolean six) throws KernelException {
        try {
            return Optional.of(LegacyFilter.forward(six));
        } catch (KernelException e) {
            if (e.is(Errno.ENOENT, Errno.ENOPROTOOPT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// To ask a kernel that has no such table would make one.
    private static boolean hasLegacyRules(boolean six) {
        try {
            return Files.readAllLines(Path.of("/proc/thread-self/net/" + (six ? "ip6" : "ip") + "_tables_names"))
                    .contains("filter");
        } catch (IOException notThere) {
            return false;
        }
    }

    /// Says whose a port is that the table of an engine leads away which does not run.
    Optional<String> holder(PortBinding binding) throws EngineException {
        return others.holder(binding);
    }

    /// What the kernel's table lacks of what it shall hold, or has beside it; empty if nothing, and before [#hold]. Asks the
    /// kernel for all its elements.
    public synchronized Optional<String> fault() throws EngineException {
        if (!holding) {
            return Optional.empty();
        }
        try {
            if (nftables.tables().stream().noneMatch(there -> there.name().equals(table.name()))) {
                return Optional.of("it is missing");
            }
            var fault = chainFault();
            return fault.isPresent() ? fault : elementFault();
        } catch (KernelException e) {
            throw failure("the table " + table.name() + " cannot be read", e);
        }
    }

    private Optional<String> chainFault() throws KernelException {
        var there = new HashMap<String, Integer>();
        nftables.baseChains().stream().filter(chain -> chain.table().equals(table.name()) && chain.family().equals("inet"))
                .forEach(chain -> there.put(chain.name(), chain.rules()));
        for (var chain : table.chains()) {
            int rules = there.getOrDefault(chain.name(), -1);
            if (rules != chain.rules().size()) {
                return Optional.of(rules < 0
                        ? "its chain " + chain.name() + " is missing"
                        : "its chain " + chain.name() + " has " + rules + " rules instead of " + chain.rules().size());
            }
        }
        return Optional.empty();
    }

    /// Ranges are not looked at: the kernel counts their ends.
    private Optional<String> elementFault() throws KernelException {
        var all = new LinkedHashSet<Member>();
        wanted.values().forEach(all::addAll);
        var sets = bySet(all);
        for (var set : table.sets()) {
            int there = set.ranges() ? 0 : nftables.keys(table.name(), set).size();
            int told = set.ranges() ? 0 : sets.getOrDefault(set, List.of()).size();
            if (there != told) {
                return Optional.of("its set " + set.name() + " has " + there + " elements instead of " + told);
            }
        }
        return Optional.empty();
    }

    /// Puts the whole table into place again.
    public synchronized void mend() throws EngineException {
        if (holding) {
            replace();
        }
    }

    /// How often the whole table was put into place.
    synchronized long assertions() {
        return assertions;
    }

    private synchronized void change(String owner, Set<Member> members) throws EngineException {
        var before = wanted.getOrDefault(owner, Set.of());
        if (before.equals(members)) {
            return;
        }
        if (behind) {
            replaceWith(owner, members);
        } else if (holding) {
            change(before, members, owner);
        }
        put(wanted, owner, members);
    }

    private void change(Set<Member> before, Set<Member> after, String owner) throws EngineException {
        var transaction = new NftTransaction(table.name());
        bySet(minus(before, after)).forEach(transaction::remove);
        bySet(minus(after, before)).forEach(transaction::add);
        try {
            changes.apply(nftables, transaction);
        } catch (KernelException e) {
            if (!e.is(Errno.ENOENT)) {
                throw failure("the rules of " + owner + " cannot be changed", e);
            }
            replaceWith(owner, after); // somebody emptied the table a moment ago
        }
    }

    private void replaceWith(String owner, Set<Member> members) throws EngineException {
        var owners = new LinkedHashMap<>(wanted);
        put(owners, owner, members);
        replace(owners);
    }

    private static Set<Member> minus(Set<Member> members, Set<Member> others) {
        var rest = new LinkedHashSet<>(members);
        rest.removeAll(new HashSet<>(others));
        return rest;
    }

    private static Map<NftSet, List<NftElement>> bySet(Set<Member> members) {
        var bySet = new LinkedHashMap<NftSet, List<NftElement>>();
        for (var member : members) {
            bySet.computeIfAbsent(member.set(), _ -> new ArrayList<>()).add(member.element());
        }
        return bySet;
    }

    private void replace() throws EngineException {
        replace(wanted);
    }

    private void replace(Map<String, Set<Member>> owners) throws EngineException {
        var all = new LinkedHashSet<Member>();
        owners.values().forEach(all::addAll);
        var transaction = new NftTransaction(table.name()).delete().create(table);
        bySet(all).forEach(transaction::add);
        try {
            changes.apply(nftables, transaction);
            behind = false;
            assertions++;
        } catch (KernelException e) {
            throw failure("the table " + table.name() + " cannot be put into place", e);
        }
    }

    /// A watch that fails is opened anew, and what it may have missed is put right.
    private void watch() {
        boolean failing = false;
        while (true) {
            try (var watch = watches.open(nftables, table.name(), stop)) {
                if (failing) {
                    restore("may have been changed while nobody watched it");
                    failing = false;
                }
                while (watch.await()) {
                    restore("was changed by somebody else");
                    Thread.sleep(10); // somebody who fights us must not take a whole processor
                }
                return;
            } catch (KernelException e) {
                if (!failing) {
                    LOG.log(System.Logger.Level.WARNING, "changes of the table " + table.name()
                            + " by others are not seen until the watch can be opened again: " + e.getMessage());
                }
                failing = true;
            } catch (InterruptedException e) {
                return; // the filter is closed
            }
            try {
                Thread.sleep(RETRY_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// Tries until it is done: the kernel does not say when what is in the way has gone.
    private void restore(String why) throws InterruptedException {
        for (boolean told = false; !again(why, told); told = true) {
            Thread.sleep(RETRY_MILLIS);
        }
    }

    /// Whether nothing is left to be done. Of a failure people are `told` once.
    private synchronized boolean again(String why, boolean told) {
        if (!holding || closed) {
            return true;
        }
        try {
            replace();
            LOG.log(System.Logger.Level.WARNING, "the table " + table.name() + " " + why + " and is as it was again");
            return true;
        } catch (EngineException e) {
            if (!told) {
                LOG.log(System.Logger.Level.ERROR, e.getMessage() + "; that is tried every second until it succeeds");
            }
            return false;
        }
    }

    /// Takes the table away: nothing is published any more.
    public synchronized void remove() throws EngineException {
        holding = false;
        behind = false;
        try {
            changes.apply(nftables, new NftTransaction(table.name()).delete());
        } catch (KernelException e) {
            throw failure("the table " + table.name() + " cannot be removed", e);
        }
    }

    private static EngineException failure(String what, KernelException cause) {
        String text = what + ": " + cause.getMessage();
        return cause.is(Errno.EPROTONOSUPPORT, Errno.EPERM, Errno.EAFNOSUPPORT)
                ? new EngineException.Unavailable(text, cause)
                : new EngineException.Internal(text, cause);
    }

    /// Ends watching. The table stays as it is and ports stay published, unless there is nothing in it at all.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            try {
                if (holding && wanted.isEmpty()) {
                    remove();
                } else {
                    catchUp();
                }
            } catch (EngineException e) {
                LOG.log(System.Logger.Level.WARNING, e.getMessage());
            }
        }
        unwatch();
        stop.close();
        links.close();
        nftables.close();
    }

    /// Changes by others are not seen any more.
    void unwatch() {
        try {
            stop.stop();
            watcher.interrupt(); // which may be in a pause
            watcher.join();
        } catch (KernelException e) {
            LOG.log(System.Logger.Level.WARNING, "the watch of nftables cannot be ended: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
