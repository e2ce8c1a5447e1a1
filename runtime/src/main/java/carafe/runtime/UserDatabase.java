package carafe.runtime;

import carafe.spec.oci.ProcessSpec.User;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/// The users and groups of an image, read from its passwd and group files; turns a [UserRequest] into numbers as Docker
/// does. The files are foreign bytes: lines that make no sense are skipped, numbers that do not fit in 31 bits are no
/// numbers (CVE-2024-40635: an overflowing id must never become root). Source: passwd(5), group(5).
public final class UserDatabase {

    /// Docker's bound: ids are 31-bit, which also keeps away from the kernel's "no id", 2^32-1.
    static final long MAX_ID = Integer.MAX_VALUE;

    /// The most bytes that are read of either file.
    static final int MAX_BYTES = 10 << 20;

    private record Account(String name, long uid, long gid, String home) {}

    private record Group(String name, long gid, List<String> members) {}

    private final List<Account> accounts = new ArrayList<>();
    private final List<Group> groups = new ArrayList<>();

    /// Reads the content of both files; `""` stands for a missing one.
    /// Reads the content of passwd and group; lines that make no sense are passed over.
    public UserDatabase(String passwd, String group) {
        for (String line : passwd.split("\n")) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 4 && number(fields[2]).isPresent() && number(fields[3]).isPresent()) {
                accounts.add(new Account(
                        fields[0],
                        number(fields[2]).get(),
                        number(fields[3]).get(),
                        fields.length > 5 ? fields[5] : ""));
            }
        }
        for (String line : group.split("\n")) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 3 && number(fields[2]).isPresent()) {
                groups.add(new Group(
                        fields[0],
                        number(fields[2]).get(),
                        fields.length > 3 ? List.of(fields[3].split(",")) : List.of()));
            }
        }
    }

    /// Who the process runs as, and where that user lives (`/` if unknown).
    public record Resolved(User user, String home) {}

    /// Resolves `request`. The numbers of a user without an entry are taken as they are, with group 0; a name without
    /// an entry is a failure. Groups of the user's own are added only if no group was asked for, as Docker does.
    public Resolved resolve(UserRequest request, Optional<Integer> umask) throws StartFailure {
        String text = request.user();
        int colon = text.indexOf(':');
        String userPart = colon < 0 ? text : text.substring(0, colon);
        String groupPart = colon < 0 ? "" : text.substring(colon + 1);

        Optional<Account> account = findAccount(userPart);
        long uid;
        if (account.isPresent()) {
            uid = account.get().uid;
        } else if (userPart.isEmpty()) {
            uid = 0;
        } else {
            uid = inRange(userPart).orElseThrow(() -> failure(
                    "unable to find user " + userPart + ": no matching entries in passwd file"));
        }

        var additional = new LinkedHashSet<Long>();
        long gid;
        if (groupPart.isEmpty()) {
            gid = account.map(Account::gid).orElse(0L);
            if (account.isPresent()) {
                String name = account.get().name;
                groups.stream().filter(group -> group.members.contains(name)).forEach(group ->
                        additional.add(group.gid));
            }
        } else {
            gid = gid(groupPart);
        }
        for (String extra : request.extraGroups()) {
            additional.add(gid(extra));
        }
        String home = account.map(Account::home).filter(path -> path.startsWith("/")).orElse("/");
        // the primary group is listed too: without it, a process could drop it and pass files that deny it to others
        // (CVE-2022-36109)
        var gids = new ArrayList<Long>();
        gids.add(gid);
        additional.stream().filter(extra -> extra != gid).forEach(gids::add);
        return new Resolved(new User(uid, gid, umask, gids), home);
    }

    /// Where the user with this number lives; `/` if that is not known.
    String home(long uid) {
        return accounts.stream().filter(account -> account.uid == uid && account.home.startsWith("/"))
                .map(Account::home).findFirst().orElse("/");
    }

    private Optional<Account> findAccount(String userPart) {
        String wanted = userPart.isEmpty() ? "0" : userPart;
        Optional<Account> byName = accounts.stream().filter(a -> a.name.equals(wanted)).findFirst();
        if (byName.isPresent()) {
            return byName;
        }
        var number = number(wanted);
        return number.flatMap(uid -> accounts.stream().filter(a -> a.uid == uid).findFirst());
    }

    private long gid(String text) throws StartFailure {
        Optional<Group> byName = groups.stream().filter(g -> g.name.equals(text)).findFirst();
        if (byName.isPresent()) {
            return byName.get().gid;
        }
        return inRange(text).orElseThrow(() -> failure(
                "unable to find group " + text + ": no matching entries in group file"));
    }

    /// A number written in digits, refused when it is out of range; empty when it is no number but a name.
    private static Optional<Long> inRange(String text) throws StartFailure {
        if (!text.matches("[+-]?[0-9]+")) {
            return Optional.empty();
        }
        var number = number(text);
        if (number.isEmpty()) {
            throw failure("uids and gids must be in range 0-" + MAX_ID);
        }
        return number;
    }

    private static Optional<Long> number(String text) {
        if (text.isEmpty() || text.length() > 10 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return Optional.empty();
        }
        long number = Long.parseLong(text);
        return number <= MAX_ID ? Optional.of(number) : Optional.empty();
    }

    private static StartFailure failure(String message) {
        return new StartFailure(StartFailure.Kind.NO_SUCH_USER, "user", message);
    }
}
