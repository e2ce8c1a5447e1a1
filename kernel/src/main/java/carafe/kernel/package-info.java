@NullMarked
package carafe.kernel;

import org.jspecify.annotations.NullMarked;
