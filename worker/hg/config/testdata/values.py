# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks Mercurial itself what random values mean. Run by the Python of an
# installed hg: values.py SEED COUNT. One JSON object a line. Bytes are written
# as ISO-8859-1.
import sys,json,random
from mercurial import util, error, pycompat
from mercurial.utils import stringutil
random.seed(int(sys.argv[1]))
ch=random.choice
def L(b): return b.decode('latin1')
def J(k,**kw): kw['Op']=k; print(json.dumps(kw))
fr=['a','b',' ',',','"','\\','\\"','\n','\t','  ','x y','""','é',"'",'#','\r','$']
for i in range(int(sys.argv[2])):
    s=''.join(ch(fr) for _ in range(random.randrange(9))).encode()
    J('list',S=L(s),W=[L(x) for x in stringutil.parselist(s)])
    try: w=[L(x) for x in pycompat.shlexsplit(s)]
    except ValueError as e: w=['ERR',str(e)]
    J('shlex',S=L(s),W=w)
    b=bytes(random.randrange(256) for _ in range(random.randrange(5)))+ch([b'',b"'",b'"',b'\\'])
    J('repr',S=L(b),W=[L(('%r'%pycompat.bytestr(b)).encode() if not isinstance(b'%r'%pycompat.bytestr(b),bytes) else b'%r'%pycompat.bytestr(b))])
    t=''.join(ch(['1','2','0','.','5','_','-','+',' ','k','kb','MB','g','b','e3','inf','nan','x','\t','1_0','E','0x1p']) for _ in range(random.randrange(1,5))).encode()
    try: w=str(util.sizetoint(t))
    except error.ParseError: w='ERR'
    except OverflowError: w=None
    if w is not None and abs(len(w))<19: J('size',S=L(t),W=[w])
    try: w=str(int(t))
    except ValueError: w='ERR'
    if len(w)<19: J('int',S=L(t),W=[w])
