/* The shop's commission, natively, for hosts without a Rust toolchain. Sales stay Python dicts. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define RETURN_FEE 0.5

static PyObject *amount_key, *region_key, *returned_key;

static double rate_of(double amount)
{
    if (amount >= 1000.0) return 0.08;
    if (amount >= 250.0) return 0.06;
    if (amount >= 0.0) return 0.05;
    return 0.0;
}

static int factor_of(PyObject *region, double *factor)
{
    const char *name = PyUnicode_AsUTF8(region);
    if (name == NULL) return -1;
    if (strcmp(name, "north") == 0) *factor = 1.0;
    else if (strcmp(name, "south") == 0) *factor = 1.1;
    else if (strcmp(name, "east") == 0) *factor = 0.95;
    else if (strcmp(name, "west") == 0) *factor = 1.05;
    else { PyErr_SetObject(PyExc_KeyError, region); return -1; }
    return 0;
}

static PyObject *field(PyObject *sale, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(sale, key);
    if (value == NULL && !PyErr_Occurred()) PyErr_SetObject(PyExc_KeyError, key);
    return value;
}

static int add_sale(PyObject *sale, double *total)
{
    PyObject *returned = field(sale, returned_key);
    if (returned == NULL) return -1;
    int truth = PyObject_IsTrue(returned);
    if (truth < 0) return -1;
    if (truth) { *total -= RETURN_FEE; return 0; }
    PyObject *amount = field(sale, amount_key);
    if (amount == NULL) return -1;
    double value = PyFloat_AsDouble(amount);
    if (value == -1.0 && PyErr_Occurred()) return -1;
    double rate = rate_of(value);
    if (rate == 0.0) return 0;
    PyObject *region = field(sale, region_key);
    double factor;
    if (region == NULL || factor_of(region, &factor) < 0) return -1;
    *total += value * rate * factor;
    return 0;
}

static PyObject *run(PyObject *self, PyObject *sales)
{
    (void)self;
    if (!PyList_Check(sales)) {
        PyErr_SetString(PyExc_TypeError, "run() takes a list of dicts");
        return NULL;
    }
    double total = 0.0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(sales); i++) {
        PyObject *sale = PyList_GET_ITEM(sales, i);
        if (!PyDict_Check(sale)) {
            PyErr_SetString(PyExc_TypeError, "run() takes a list of dicts");
            return NULL;
        }
        if (add_sale(sale, &total) < 0) return NULL;
    }
    return PyFloat_FromDouble(total);
}

static PyMethodDef methods[] = {
    {"run", run, METH_O, "Commission on a list of sales."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "vessel_commission", "The shop's commission, natively.", -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_vessel_commission(void)
{
    amount_key = PyUnicode_InternFromString("amount");
    region_key = PyUnicode_InternFromString("region");
    returned_key = PyUnicode_InternFromString("returned");
    if (amount_key == NULL || region_key == NULL || returned_key == NULL) return NULL;
    return PyModule_Create(&module);
}
