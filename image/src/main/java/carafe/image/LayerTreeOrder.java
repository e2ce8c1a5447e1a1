package carafe.image;

import carafe.kernel.Linux;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The part of a [LayerTree] that its root leads to, in the order in which it is written: inodes breadth first, the
/// names of each directory sorted by their bytes with `.` and `..` among them; and how many names each inode has.
final class LayerTreeOrder {

    private static final byte[] DOT = ".".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DOTS = "..".getBytes(StandardCharsets.US_ASCII);

    private final LayerTree tree;
    private final int[] first; // of each directory's names in `sorted`
    private final int[] sorted;
    private final int[] parents;
    private final int[] links;
    private final int[] inodes;

    LayerTreeOrder(LayerTree tree) {
        this.tree = tree;
        int count = tree.inodeCount();
        this.first = new int[count + 1];
        this.sorted = new int[tree.nameCount()];
        this.parents = new int[count];
        this.links = new int[count];
        group();
        this.inodes = walk();
    }

    private void group() {
        int count = tree.inodeCount();
        for (int entry = 0; entry < tree.nameCount(); entry++) {
            first[tree.parent(entry) + 1]++;
        }
        for (int i = 0; i < count; i++) {
            first[i + 1] += first[i];
        }
        int[] next = Arrays.copyOf(first, count);
        for (int entry = 0; entry < tree.nameCount(); entry++) {
            sorted[next[tree.parent(entry)]++] = entry;
        }
    }

    private int[] walk() {
        int[] found = new int[tree.inodeCount()];
        int count = 1; // the root, which is 0
        links[LayerTree.ROOT] = 2;
        for (int at = 0; at < count; at++) {
            int directory = found[at];
            if (!tree.is(directory, Linux.S_IFDIR)) {
                continue;
            }
            sort(first[directory], first[directory + 1]);
            for (int i = first[directory]; i < first[directory + 1]; i++) {
                int inode = tree.inode(sorted[i]);
                boolean fresh = links[inode]++ == 0;
                if (fresh) {
                    found[count++] = inode;
                }
                if (tree.is(inode, Linux.S_IFDIR)) {
                    links[inode] = 2;
                    links[directory]++;
                    parents[inode] = directory;
                }
            }
        }
        return Arrays.copyOf(found, count);
    }

    private void sort(int from, int to) {
        var entries = new Integer[to - from];
        for (int i = from; i < to; i++) {
            entries[i - from] = sorted[i];
        }
        Arrays.sort(entries, tree::compareNames);
        for (int i = from; i < to; i++) {
            sorted[i] = entries[i - from];
        }
    }

    /// The inodes to write, the root first.
    int[] inodes() {
        return inodes;
    }

    /// How many names the inode has, counted as stat(2) does.
    int links(int inode) {
        return links[inode];
    }

    /// The names of a directory.
    Entries entries(int directory) {
        return new Entries(directory);
    }

    /// A directory's names by their place, `.` and `..` included.
    final class Entries {
        private final int directory;
        private final int from;
        private final int dot; // the places of these two
        private final int dots;

        private Entries(int directory) {
            this.directory = directory;
            this.from = first[directory];
            this.dot = before(DOT, 0);
            this.dots = before(DOTS, dot) + 1;
        }

        /// How many names sort before `name`; those up to `known` do.
        private int before(byte[] name, int known) {
            int count = known;
            while (from + count < first[directory + 1]
                    && Arrays.compareUnsigned(tree.name(sorted[from + count]), name) < 0) {
                count++;
            }
            return count;
        }

        int count() {
            return first[directory + 1] - from + 2;
        }

        private int entry(int place) {
            return sorted[from + place - (place > dots ? 2 : place > dot ? 1 : 0)];
        }

        byte[] name(int place) {
            return place == dot ? DOT : place == dots ? DOTS : tree.name(entry(place));
        }

        int nameLength(int place) {
            return place == dot ? 1 : place == dots ? 2 : tree.nameLength(entry(place));
        }

        int inode(int place) {
            return place == dot ? directory : place == dots ? parents[directory] : tree.inode(entry(place));
        }
    }
}
