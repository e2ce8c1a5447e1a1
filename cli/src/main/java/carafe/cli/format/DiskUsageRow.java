package carafe.cli.format;

import carafe.cli.template.Subject;
import carafe.cli.template.Values;
import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.List;
import java.util.Map;

/// One kind of thing that takes space, as `system df` sums it up.
public final class DiskUsageRow implements Subject {

    /// The heads of all fields.
    public static final Map<String, String> HEADERS = Map.of("Type", "TYPE", "TotalCount", "TOTAL", "Active", "ACTIVE",
            "Size", "SIZE", "Reclaimable", "RECLAIMABLE");

    /// The fields of the default table.
    public static final List<String> COLUMNS = List.of("Type", "TotalCount", "Active", "Size", "Reclaimable");

    private static final String[] FIELDS = {"Active", "Reclaimable", "Size", "TotalCount", "Type"};
    private static final int DIGITS = 4;

    private final String type;
    private final int total;
    private final int active;
    private final long bytes;
    private final String reclaimable;

    private DiskUsageRow(String type, int total, int active, long bytes, String reclaimable) {
        this.type = type;
        this.total = total;
        this.active = active;
        this.bytes = bytes;
        this.reclaimable = reclaimable;
    }

    /// The four rows of what `GET /system/df` answers.
    public static List<DiskUsageRow> of(Json.Obj usage) {
        try {
            return List.of(images(usage), containers(usage), volumes(usage), cache(usage));
        } catch (EngineException.Invalid e) {
            return List.of(); // the engine sent something else than Docker's documents
        }
    }

    private static DiskUsageRow images(Json.Obj usage) throws EngineException.Invalid {
        int active = 0;
        long used = 0;
        var images = usage.objects("Images");
        for (var image : images) {
            if (image.number("Containers", 0) > 0) {
                active++;
                boolean known = image.number("Size", -1) >= 0 && image.number("SharedSize", -1) >= 0;
                used += known ? image.number("Size", 0) - image.number("SharedSize", 0) : 0;
            }
        }
        long all = usage.number("LayersSize", 0);
        return new DiskUsageRow("Images", images.size(), active, all, share(all - used, all));
    }

    private static DiskUsageRow containers(Json.Obj usage) throws EngineException.Invalid {
        int active = 0;
        long all = 0;
        long idle = 0;
        var containers = usage.objects("Containers");
        for (var container : containers) {
            String state = container.text("State");
            boolean runs = state.equals("running") || state.equals("paused") || state.equals("restarting");
            active += runs ? 1 : 0;
            all += container.number("SizeRw", 0);
            idle += runs ? 0 : container.number("SizeRw", 0);
        }
        return new DiskUsageRow("Containers", containers.size(), active, all, share(idle, all));
    }

    private static DiskUsageRow volumes(Json.Obj usage) throws EngineException.Invalid {
        int active = 0;
        long all = 0;
        long idle = 0;
        var volumes = usage.objects("Volumes");
        for (var volume : volumes) {
            var use = volume.object("UsageData");
            long size = Math.max(0, use.number("Size", 0));
            boolean used = use.number("RefCount", 0) > 0;
            active += used ? 1 : 0;
            all += size;
            idle += used ? 0 : size;
        }
        return new DiskUsageRow("Local Volumes", volumes.size(), active, all, share(idle, all));
    }

    private static DiskUsageRow cache(Json.Obj usage) throws EngineException.Invalid {
        int active = 0;
        long all = 0;
        long idle = 0;
        var records = usage.objects("BuildCache");
        for (var record : records) {
            active += record.truth("InUse") ? 1 : 0;
            boolean own = !record.truth("Shared");
            all += own ? record.number("Size", 0) : 0;
            idle += own && !record.truth("InUse") ? record.number("Size", 0) : 0;
        }
        return new DiskUsageRow("Build Cache", records.size(), active, all, Human.size(idle, DIGITS));
    }

    private static String share(long part, long all) {
        String size = Human.size(part, DIGITS);
        return all > 0 ? size + " (" + part * 100 / all + "%)" : size;
    }

    @Override
    public Object field(String name, List<Object> arguments) {
        return switch (name) {
            case "Type" -> type;
            case "TotalCount" -> Integer.toString(total);
            case "Active" -> Integer.toString(active);
            case "Size" -> Human.size(bytes, DIGITS);
            case "Reclaimable" -> reclaimable;
            default -> Values.ABSENT;
        };
    }

    @Override
    public String typeName() {
        return "*formatter.diskUsageContext";
    }

    @Override
    public Json asJson() {
        return Rows.json(this, FIELDS);
    }
}
