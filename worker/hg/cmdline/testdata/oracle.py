# SPDX-License-Identifier: GPL-2.0-or-later
#
# Asks Mercurial itself how it reads random command lines. Run by the Python of
# an installed hg: oracle.py SEED COUNT. One JSON object a line. Bytes are
# written as ISO-8859-1.
import sys,json,random,getopt
from mercurial import fancyopts, util, error, pycompat
from mercurial.utils import stringutil
try:
    from mercurial import initialization; initialization.init()
    from mercurial import tables, cmd_impls
    T=tables.command_table; G=cmd_impls.global_opts
    from mercurial.main_script.cmd_finder import find_cmd as findcmd
    v72=True
except ImportError:
    from mercurial import commands, cmdutil
    T=commands.table; G=commands.globalopts; findcmd=cmdutil.findcmd; v72=False
random.seed(int(sys.argv[1]))
R=random.random; ch=random.choice
def L(b): return b.decode('latin1')
def J(k,**kw): kw['Op']=k; kw['V72']=v72; print(json.dumps(kw))
opts=[(b'r',b'rev',b'',b''),(b'',b'style',b'',b''),(b'',b'stat',None,b''),(b'l',b'limit',b'',b''),(b'n',b'no-merges',None,b''),(b'',b'merges',None,b''),(b'I',b'include',[],b''),(b'X',b'exclude',[],b''),(b'm',b'modified',None,b''),(b'a',b'added',None,b''),(b's',b'similarity',7,b''),(b'',b'copies',True,b''),(b'',b'no-commit',None,b''),(b'',b'commit',None,b''),(b'T',b'template',b'',b''),(b'',b'temporary',False,b'')]
words=['--','-','-r','-rX','-l1','-mas9','-mr','-s','-s5','-sx','--rev','--rev=1','--rev=','--re','--st','--sta','--stat=1','--style','x','--limit','-l','--no-merges','--merges','--no-stat','--no-co','--commit','--no-commit','--inc','--include=a','-Ib','-X','--temp','--tem','--template=1','-q','-v','-vq','-R','-Rz','-qRz','--repo','--repo=1','--repository=a','--rep','--cwd','--cwd=d','--cw','--config','--config=a.b=c','--conf','--conf=1','--config-file=f','--debug','--debugger','--no-debugger','--no-quiet','--noni','--no-noninteractive','--no-help','-h','--help','--no-v','--color','--color=no','--hidden','--encoding','-zé','--é','-','a','b','log','-1','--=','--:','-:','-y','--pager=0','--no-hidden','','--similarity','--similarity=1_0','--similarity= 3','--profile','--traceback','--time=1']
def ser(st):
    o={}
    for k,v in st.items():
        k=L(k).replace('_','-')
        if isinstance(v,list): v=[L(x) for x in v]
        elif isinstance(v,bytes): v=L(v)
        elif isinstance(v,bool) or v is None: v=bool(v)
        o[k]=v
    return o
import json as _j
NAMES=sorted({a for k in T for a in k.decode().split('|')})
for i in range(int(sys.argv[2])):
    a=[ch(words).encode() for _ in range(random.randrange(7))]
    for gnu in (False,True):
        st={}
        try:
            rest=fancyopts.fancyopts(a[:],opts+list(G) if gnu else list(G),st,gnu=gnu)
            J('opts',A=[L(x) for x in a],Gnu=gnu,V=ser(st),W=[L(x) for x in rest])
        except getopt.GetoptError as e: J('opts',A=[L(x) for x in a],Gnu=gnu,E='usage '+L(stringutil.forcebytestr(e)))
        except error.InputError as e: J('opts',A=[L(x) for x in a],Gnu=gnu,E='abort '+L(e.message))
        st={}
        rest=fancyopts.fancyopts(a[:],list(G),st,gnu=gnu,early=True,optaliases={b'repository':[b'repo']})
        J('early',A=[L(x) for x in a],Gnu=gnu,V=ser(st))
    lo=[b'cwd=',b'repository=',b'repo=',b'config=']+([b'config-file='] if v72 else [])
    f,rest=fancyopts.earlygetopt(a[:],b'R:',lo,gnu=True,keepsep=True)
    J('split',A=[L(x) for x in a],S=' '.join(L(x[0]) for x in f),W=[L(x) for x in rest])
for i in range(int(sys.argv[2])//4):
    n=ch(NAMES); n=n[:random.randrange(1,len(n)+1)]
    if R()<.1: n+='x'
    if R()<.02: n=''
    strict=R()<.2
    al=random.sample(['log','lo','st','foo','a|b','status','heads','debugx','c-d','l','show'],random.randrange(3))
    t=dict(T)
    for x in al: t[x.encode()]=('ALIAS',)
    try:
        names,e=findcmd(n.encode(),t,strict)
        w=L(names[0])+(' alias' if e==('ALIAS',) else '')
    except error.AmbiguousCommand as e: w='ambiguous '+' '.join(L(x) for x in e.matches)
    except error.UnknownCommand: w='unknown'
    J('cmd',S=n,A=al,Gnu=strict,W=[w])
