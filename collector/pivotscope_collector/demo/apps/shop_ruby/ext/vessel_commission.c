/* The shop's commission, natively. Sales stay Ruby hashes: every field crosses the boundary. */
#include <ruby.h>
#include <string.h>

#define RETURN_FEE 0.5

static VALUE amount_key, region_key, returned_key;

static double rate_of(double amount)
{
    if (amount >= 1000.0) return 0.08;
    if (amount >= 250.0) return 0.06;
    if (amount >= 0.0) return 0.05;
    return 0.0;
}

static double factor_of(VALUE region)
{
    Check_Type(region, T_STRING);
    const char *name = RSTRING_PTR(region);
    long length = RSTRING_LEN(region);
    if (length == 5 && memcmp(name, "north", 5) == 0) return 1.0;
    if (length == 5 && memcmp(name, "south", 5) == 0) return 1.1;
    if (length == 4 && memcmp(name, "east", 4) == 0) return 0.95;
    if (length == 4 && memcmp(name, "west", 4) == 0) return 1.05;
    rb_raise(rb_eKeyError, "key not found: %" PRIsVALUE, region);
}

static VALUE run(VALUE self, VALUE sales)
{
    double total = 0.0;
    Check_Type(sales, T_ARRAY);
    for (long i = 0; i < RARRAY_LEN(sales); i++) {
        VALUE sale = rb_ary_entry(sales, i);
        Check_Type(sale, T_HASH);
        if (RTEST(rb_hash_aref(sale, returned_key))) {
            total -= RETURN_FEE;
            continue;
        }
        double amount = NUM2DBL(rb_hash_aref(sale, amount_key));
        total += amount * rate_of(amount) * factor_of(rb_hash_aref(sale, region_key));
    }
    return DBL2NUM(total);
}

void Init_vessel_commission(void)
{
    VALUE module = rb_define_module("VesselCommission");
    amount_key = ID2SYM(rb_intern("amount"));
    region_key = ID2SYM(rb_intern("region"));
    returned_key = ID2SYM(rb_intern("returned"));
    rb_define_module_function(module, "run", run, 1);
}
